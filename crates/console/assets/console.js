// Pages work without this: it only tells the effect of a verdict before it is given, and of new findings.

const form = document.querySelector("form.verdict");
const preview = document.getElementById("preview");
if (form && preview) {
  form.addEventListener("change", async (event) => {
    if (event.target.name !== "verdict") return;
    const verdict = event.target.value;
    const answer = await fetch(`/v1/findings/${form.dataset.finding}/verdict?dry_run=true`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Csrf-Token": form.elements.csrf.value },
      body: JSON.stringify({ verdict }),
    });
    const told = await answer.json();
    // A later choice may have been answered first.
    if (form.elements.verdict.value !== verdict) return;
    preview.textContent = answer.ok ? told.effect?.text ?? "" : told.detail;
  });
}

const news = document.getElementById("news");
if (news) {
  const seen = new Set();
  // The list itself never moves under the reader: new findings are counted and wait behind a link.
  new EventSource("/v1/stream").addEventListener("finding", (message) => {
    seen.add(JSON.parse(message.data).id);
    news.firstElementChild.textContent = `${seen.size} new or changed: show`;
    news.hidden = false;
  });
}
