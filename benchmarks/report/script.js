(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const paint = () => { root.dataset.theme = chosen ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", paint);
  paint();
  document.getElementById("theme").addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    paint();
  });
  const dialog = document.getElementById("provenance-of");
  const open = (target) => {
    dialog.querySelector("h3").textContent = [...target.querySelector("summary").children].map((part) => part.textContent.trim()).filter(Boolean).join(" · ");
    const body = dialog.querySelector(".body");
    body.replaceChildren(...[...target.children].filter((child) => child.tagName !== "SUMMARY").map((child) => child.cloneNode(true)));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#cell-"]');
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (target && dialog.showModal) {
      event.preventDefault();
      open(target);
    }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  const follow = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", follow);
  follow();
})();
