"use strict";

const place = document.getElementById("docs");

Redoc.init(
  place.dataset.schemaUrl,
  {
    disableSearch: true, // it would run in a worker made from a blob, which the policy does not allow
    hideDownloadButton: false,
    nonce: place.dataset.nonce,
    showExtensions: true,
  },
  place,
);
