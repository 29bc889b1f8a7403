import Bowser from 'bowser';

const MOST_LETTERS = 60;
// oxlint-disable-next-line no-control-regex -- control characters are what it takes out
const unseen = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `Chrome on Windows`, or the name by which a program calls itself; null where it says nothing. */
export function deviceName(userAgent: string | null): string | null {
  const told = userAgent?.replace(unseen, '').trim();
  if (!told) return null;
  const { browser, os } = Bowser.parse(told);
  const program = [browser.name, told.split(/[/\s(]/)[0]].find(Boolean) ?? told;
  return (os.name ? `${program} on ${os.name}` : program).slice(0, MOST_LETTERS);
}
