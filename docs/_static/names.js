/* What the theme leaves without a name, or out of the keyboard's reach. */
document.addEventListener("DOMContentLoaded", () => {
  // The toggles of the menu have an icon alone; name them after the page whose subpages they show.
  for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
    const link = summary.closest("li").querySelector(":scope > a");
    summary.setAttribute("aria-label", `Pages below ${link ? link.textContent.trim() : "this page"}`);
  }

  // Boxes that are scrolled can be focused, as long as they are too narrow.
  const boxes = document.querySelectorAll(".wide-picture, .completion");
  const update = () => {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  };
  update();
  addEventListener("load", update);
  addEventListener("resize", update);

  // The name of the menu of versions lacks the version that it shows (WCAG 2.5.3), which comes later than the page.
  for (const button of document.querySelectorAll(".version-switcher__button")) {
    const name = () => button.setAttribute("aria-label", `Version: ${button.textContent.trim()}`);
    name();
    new MutationObserver(name).observe(button, { childList: true, characterData: true, subtree: true });
  }

  // The button that closes the banner of old versions is a link without an address or a text.
  const banner = document.querySelector("#bd-header-version-warning");
  if (banner) {
    new MutationObserver(() => {
      const close = banner.querySelector(":scope > a:not([href])");
      if (close && !close.hasAttribute("role")) {
        close.setAttribute("role", "button");
        close.setAttribute("aria-label", "Close");
        close.tabIndex = 0;
        close.addEventListener("keydown", (event) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            close.click();
          }
        });
      }
    }).observe(banner, { childList: true });
  }
});
