// Goes on by itself where the page only has one way on: sends the form, or follows the link after a pause.
(function () {
  "use strict";
  const form = document.querySelector("form[data-send]");
  if (form) form.submit();

  const link = document.querySelector("a[data-follow-after]");
  if (link) setTimeout(() => location.replace(link.href), link.dataset.followAfter * 1000);
})();
