// On a narrow screen the row of pages scrolls: begin where this page is.
"use strict";
{
  const here = document.querySelector("nav [aria-current]");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.clientWidth / 2;
}
