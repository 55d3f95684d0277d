// A form with data-progress="ID" is told how far its work is, and puts what came of it into that element. The answer
// has a JSON document a line: {"done": 3, "of": 48}, and last {"html": "…"}. Without scripts it is an ordinary form.
"use strict";

async function follow(form) {
  const bar = form.querySelector("progress"), told = form.querySelector("output"), button = form.querySelector("button");
  const answer = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/x-ndjson" },
  });
  if (!answer.ok || !answer.headers.get("content-type").startsWith("application/x-ndjson")) {
    form.submit();
    return;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  bar.hidden = false;
  for (let text = "", part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (text + part.value).split("\n");
    text = lines.pop();
    for (const line of lines.filter(Boolean).map((each) => JSON.parse(each))) {
      if ("html" in line) {
        document.getElementById(form.dataset.progress).innerHTML = line.html;
      } else {
        bar.max = line.of;
        bar.value = line.done;
        told.textContent = told.dataset.text.replace("{done}", line.done).replace("{of}", line.of);
      }
    }
  }
  bar.hidden = true;
  told.textContent = "";
  button.removeAttribute("aria-disabled");
}

document.querySelectorAll("form[data-progress]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    follow(form).catch(() => form.submit());
  });
});
