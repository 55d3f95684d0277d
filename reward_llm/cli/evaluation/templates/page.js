"use strict";
const filter = document.getElementById("filter");
if (filter) {
  const failures = document.querySelectorAll("#failures article");
  const show = () => {
    const kind = filter.elements.kind.value;
    let shown = 0;
    for (const failure of failures) {
      failure.hidden = kind !== "" && failure.dataset.kind !== kind;
      shown += failure.hidden ? 0 : 1;
    }
    filter.querySelector("output").textContent = `${shown} of ${failures.length} shown`;
  };
  filter.addEventListener("change", show);
  filter.hidden = false;
  show();
}
