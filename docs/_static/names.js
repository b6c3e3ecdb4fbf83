/* The theme's toggles of the menu have an icon alone; name them after the page whose subpages they show. */
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
    const link = summary.closest("li").querySelector(":scope > a");
    summary.setAttribute("aria-label", `Pages below ${link ? link.textContent.trim() : "this page"}`);
  }
});
