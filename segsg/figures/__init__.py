"""Pictures: photos with their graphs, training curves, matrices and kernels, in one look."""
