"use strict";

// ReDoc's menu ends with its maker's logo, fetched from the maker's server. The page may load nothing
// from elsewhere, and a refused request would stand in the console as an error, so it is not made.
const setAttribute = Element.prototype.setAttribute;

Element.prototype.setAttribute = function (name, value) {
  if (this instanceof HTMLImageElement && name === "src") {
    const source = new URL(value, location.href);
    if (source.protocol !== "data:" && source.origin !== location.origin) return;
  }
  setAttribute.call(this, name, value);
};
