// Shows HTML and, when it changes, alters only what differs: focus, selection, scroll positions,
// opened details and hover stay as they are. The server has escaped every value.
const KEPT = { DETAILS: ["open"] };

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function patchAttributes(old, fresh) {
  const kept = KEPT[old.nodeName] || [];
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
}

function patch(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  patchAttributes(old, fresh);
  patchChildren(old, fresh);
}

function patchChildren(old, fresh) {
  let here = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    if (here && !alike(here, wanted) && wanted.id) {
      const moved = [...old.children].find((one) => one.id === wanted.id);
      if (moved) {
        old.insertBefore(moved, here);
        here = moved;
      }
    }
    if (here && alike(here, wanted)) {
      patch(here, wanted);
      here = here.nextSibling;
    } else {
      old.insertBefore(wanted, here);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

export default {
  template: `<component :is="tag"></component>`,
  props: { innerHTML: String, tag: String },
  mounted() {
    this.$el.innerHTML = this.innerHTML;
    this.$el.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) this.$emit("act", { act: button.dataset.act, key: button.dataset.key });
    });
  },
  watch: {
    innerHTML(html) {
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      patchChildren(this.$el, fresh.content);
    },
  },
};
