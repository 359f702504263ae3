/** The only inline style on the page: the rule that lightweight-charts adds for its attribution logo. */
export const attributionStyleHash = 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY=';

/**
 * The policy that index.html carries. `frame-ancestors` is ignored in a meta element, so the server says that one in a header.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' '${attributionStyleHash}'`,
  "img-src 'self' data:",
  "connect-src 'self'",
  // Tear sheets, in a sandbox.
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
