// Before the first paint: the reader's choice, else the system's. Then the keys.
(() => {
  const root = document.documentElement;
  root.lang ||= "en";
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

  const KEYS = [["/", "search"], ["n", "new task"], ["?", "these keys"], ["g o", "overview"],
    ["g t", "tasks"], ["g a", "agents"], ["g r", "router"], ["g p", "ops"], ["g s", "sessions"],
    ["g m", "match"], ["g b", "bus"]];
  const PLACES = { o: "", t: "/tasks", a: "/agents", r: "/router", p: "/ops", s: "/sessions",
    m: "/match", b: "/bus" };
  let before = "";

  function help() {
    let shown = document.getElementById("keys");
    if (!shown) {
      shown = document.createElement("dialog");
      shown.id = "keys";
      shown.className = "card";
      shown.setAttribute("aria-label", "Keys");
      const list = document.createElement("dl");
      list.className = "facts";
      for (const [key, meaning] of KEYS) {
        const name = document.createElement("dt"), value = document.createElement("dd");
        name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        value.textContent = meaning;
        list.append(name, value);
      }
      shown.append(list);
      shown.addEventListener("click", () => shown.close());
      document.body.append(shown);
    }
    shown.open ? shown.close() : shown.showModal();
  }

  function search() {
    const field = document.querySelector("[data-search] input, input[data-search]");
    if (field) field.focus();
    else location.href = "/dashboard/sessions#search";
  }

  addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, textarea, select, [contenteditable]");
    if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = before === "g" ? PLACES[event.key] : undefined;
    before = event.key;
    if (place !== undefined) location.href = "/dashboard" + place;
    else if (event.key === "/") search();
    else if (event.key === "n") location.href = "/dashboard/tasks";
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
  // Parts of Quasar that come without a name; who cannot see them needs one.
  const NAMES = { ".q-uploader__input": "Attach files", ".q-loading-bar": "Loading" };
  const named = () => {
    for (const [kind, name] of Object.entries(NAMES))
      for (const part of document.querySelectorAll(`${kind}:not([aria-label])`))
        part.setAttribute("aria-label", name);
    // The upload's field lies inside its button: the field alone is what takes the focus.
    for (const button of document.querySelectorAll(".q-uploader a[role=button]")) {
      button.removeAttribute("role");
      button.tabIndex = -1;
      for (const field of button.querySelectorAll("input")) field.tabIndex = 0;
    }
  };
  new MutationObserver(named).observe(root, { childList: true, subtree: true });
  addEventListener("load", () => {
    if (location.hash === "#search") setTimeout(search, 300);
  });
})();
