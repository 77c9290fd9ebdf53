// Runs before require.js, on pages with widgets only.

// Where the widgets find their fonts: beside the vendored script, not below the page. The bundle holds two modules
// with the same fonts, each "next to it"; which of them a browser asks for is a matter of chance.
window.require = {
  baseUrl: document.currentScript.src.replace(/[^/]*$/, "vendor/"),
  paths: {
    "@jupyter-widgets/html-manager": "@jupyter-widgets/html-manager/dist/index",
    "@jupyter-widgets/html-manager/dist": "@jupyter-widgets/html-manager/dist",
  },
};

// The widgets speak to MathJax 2; the page has MathJax 3, or none.
document.addEventListener("DOMContentLoaded", () => {
  const mathjax = (window.MathJax = window.MathJax || {});
  mathjax.Hub = {
    Queue: (...calls) =>
      calls.forEach((call) => Array.isArray(call) && mathjax.typesetPromise && mathjax.typesetPromise([call[2]])),
  };
});

// The panels have arrived: hide the static twin, say what the controls are for, announce each new picture.
function settle(box) {
  const cell = box.closest(".cell");
  if (!cell || cell.classList.contains("explorable-live") || !box.querySelector(".explorable-panel")) return;
  cell.classList.add("explorable-live");
  box.querySelectorAll(".widget-inline-hbox").forEach((control) => {
    const label = control.querySelector(".widget-label");
    const words = label ? label.textContent.replace(/:\s*$/, "") : "";
    control.querySelectorAll("[role=slider], select").forEach((part) => {
      part.setAttribute("aria-label", words);
      const readout = control.querySelector(".widget-readout");
      if (!readout || part.tagName === "SELECT") return;
      const speak = () => part.setAttribute("aria-valuetext", readout.textContent);
      new MutationObserver(speak).observe(readout, {childList: true, characterData: true, subtree: true});
      speak();
    });
    const buttons = control.querySelector(".widget-toggle-buttons > div, .widget-toggle-button-group");
    if (buttons) buttons.setAttribute("aria-label", words);
  });
  const pile = box.querySelector(".jupyter-widget-stack, .widget-stack");
  if (pile) pile.setAttribute("aria-live", "polite");
}
new MutationObserver(() => document.querySelectorAll(".explorable").forEach(settle)).observe(document, {
  childList: true,
  subtree: true,
});
