// Small helps on every page.
document.addEventListener("DOMContentLoaded", () => {
  // A click on "download" saves the notebook; without this the browser shows its JSON.
  document.querySelectorAll(".btn-download-source-button, .btn-download-notebook-button").forEach((link) => {
    link.setAttribute("download", link.href.split("/").pop());
    link.removeAttribute("target");
  });
  // Whatever scrolls sideways can be scrolled from the keyboard.
  document.querySelectorAll(".cell_output > .output, div.highlight > pre, .pst-scrollable-table-container, .cell_output").forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1 && !box.hasAttribute("tabindex")) box.setAttribute("tabindex", "0");
  });
});
