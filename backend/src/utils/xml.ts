// oxlint-disable-next-line no-control-regex -- control characters are what it takes out
const notInXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text as it stands in an element or an attribute; what XML cannot say is left out. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(notInXml, '')
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
