// What pages can do beyond forms and links. Everything on them works without it.
"use strict";

// A button with data-copy="ID" copies the text of that element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  const before = button.textContent;
  button.textContent = button.dataset.copied || before;
  setTimeout(() => { button.textContent = before; }, 1500);
});

// A form that is on its way isn't sent a second time.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", "true"));
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
  });
});

// Problems are pages too: htmx shows what the service answers with, whatever the status.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) event.detail.shouldSwap = true;
});

// What scrolls sideways can be reached by keyboard.
const reachable = () => document.querySelectorAll(".table-box, pre").forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
});
["DOMContentLoaded", "htmx:afterSettle"].forEach((name) => document.addEventListener(name, reachable));
document.addEventListener("toggle", reachable, true);
window.addEventListener("resize", reachable);
reachable();
