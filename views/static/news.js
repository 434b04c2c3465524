// Puts the answers of applications into the sign-out page as they come in, without loading it again.
(function () {
  "use strict";
  const look = async () => {
    const old = document.querySelector("[data-again]");
    if (!old || !old.dataset.again) return;
    const answer = await fetch(old.dataset.again);
    if (!answer.ok || answer.redirected) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-again]");
    if (!found) return;
    old.replaceChildren(...found.childNodes);
    old.dataset.again = found.dataset.again;
    if (old.dataset.again) setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
})();
