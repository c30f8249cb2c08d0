"use strict";

// ReDoc is run under a policy that its bundle does not quite keep to. Two things are put right here,
// before it starts, rather than weaken the policy:
//   - it makes its first style elements before it is told the page's nonce;
//   - its menu ends with its maker's logo, fetched from the maker's server.
(function () {
  const { nonce } = document.getElementById("docs").dataset;
  const { createElement } = Document.prototype;

  Document.prototype.createElement = function (name, options) {
    const element = createElement.call(this, name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };

  function isElsewhere(image, address) {
    const source = new URL(address, location.href);
    const elsewhere = source.protocol !== "data:" && source.origin !== location.origin;
    // ReDoc leaves the image out once it learns that it cannot be loaded.
    if (elsewhere) setTimeout(() => image.dispatchEvent(new Event("error")));
    return elsewhere;
  }

  const { setAttribute } = Element.prototype;
  const src = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");

  HTMLImageElement.prototype.setAttribute = function (name, value) {
    if (name !== "src" || !isElsewhere(this, value)) setAttribute.call(this, name, value);
  };
  Object.defineProperty(HTMLImageElement.prototype, "src", {
    ...src,
    set(value) {
      if (!isElsewhere(this, value)) src.set.call(this, value);
    },
  });
})();
