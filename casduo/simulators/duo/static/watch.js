// Reloads the page when what it shows has changed on the server.
"use strict";
(function () {
  const page = document.body;
  const address = page.dataset.watch;
  if (page.dataset.reload) {
    window.setTimeout(function () { window.location.reload(); }, Number(page.dataset.reload));
    return;
  }
  if (!address) {
    return;
  }
  async function look() {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== page.dataset.version) {
        window.location.replace(window.location.pathname + window.location.search);
        return;
      }
    } catch (unreachable) {
      // The simulator may be down on purpose; the next look will tell.
    }
    window.setTimeout(look, 1000);
  }
  window.setTimeout(look, 1000);
})();
