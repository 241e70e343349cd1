"""Files of truths and predictions as tests read them: all images, in the order of the file."""

from segsg.formats.importers import open_file


def read_truths(path):
    return (parse() for parse in open_file(path).truths())


def read_graphs(path, predicates):
    return (parse() for parse in open_file(path).graphs(predicates))


def predicate_names(path):
    return open_file(path).predicate_names()


def predicate_columns(path):
    return open_file(path).predicate_columns()
