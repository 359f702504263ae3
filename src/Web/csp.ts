/** The only inline style on the page: the rule that lightweight-charts adds for its attribution logo. */
export const attributionStyleHash = 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY=';

/** Style and script of the tear sheets (src/Api/Reports/Page.cs): they are shown in frames, and a frame keeps to the policy of its page, too. */
export const sheetStyleHash = 'sha256-YY5TpMoS8NQhD7a/V26zOZYXezMywBiJE4ilqeh7eKU=';
export const sheetScriptHash = 'sha256-hqyqC3Zp9IfsJlKwoMMOfeAx2whSHrwY2jxDtmy5LSA=';

/**
 * The policy that index.html carries. `frame-ancestors` is ignored in a meta element, so the server says that one in a header.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src 'self' '${sheetScriptHash}'`,
  `style-src 'self' '${attributionStyleHash}' '${sheetStyleHash}'`,
  "img-src 'self' data:",
  "connect-src 'self'",
  // Tear sheets, in a sandbox.
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
