// Before the first paint: the reader's choice, else the system's.
(() => {
  const root = document.documentElement;
  const wanted = () => localStorage.getItem("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const asked = new URLSearchParams(location.search).get("theme");
    root.dataset.theme = asked || wanted() || (system.matches ? "dark" : "light");
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("click", (event) => {
    if (!event.target.closest("[data-flip]")) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    root.dataset.theme = next;
  });
})();
