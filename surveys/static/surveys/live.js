// Keeps a part of a page fresh: what `data-live` names is fetched into it every `data-seconds`,
// for as long as the answer says so. A page in the background waits.
async function refresh(part) {
  if (!document.hidden) {
    try {
      const answer = await fetch(part.dataset.live, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return; // signed out, or gone: the figures stay
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      part.replaceChildren(...fresh.childNodes);
      part.dataset.seconds = fresh.dataset.seconds;
    } catch {
      // the network is away for a moment; the next round tries again
    }
  }
  again(part);
}

function again(part) {
  const seconds = Number(part.dataset.seconds);
  if (seconds) setTimeout(() => refresh(part), seconds * 1000);
}

addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-live]").forEach(again);
});
