import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Liquid, type LiquidOptions, type Template } from 'liquidjs';

/** What each mail needs to be told. A mail is two files here: its `.mjml` and its `.txt`, which begins with the subject. */
export type EmailVariables = {
  'password-reset': { name: string; link: string; minutes: number; askedAt: string; askedFrom: string | null };
  welcome: { name: string; email: string; tenantName: string; link: string; days: number };
  invite: { name: string; email: string; link: string; hours: number };
  'password-changed': { name: string; link: string; changedAt: string };
  'new-sign-in': {
    name: string;
    link: string;
    device: string;
    place: string;
    address: string | null;
    signedInAt: string;
  };
  'verify-email': { name: string; email: string; link: string; hours: number };
  'address-changing': { name: string; link: string; askedAt: string };
  'mfa-changed': { name: string; link: string; what: string; changedAt: string };
  'impersonation-started': {
    name: string;
    tenantName: string;
    adminName: string;
    userName: string;
    reason: string;
    ticket: string;
    extent: string;
    startedAt: string;
    endsAt: string;
    link: string;
  };
  'offboarding-begun': { name: string; tenantName: string; graceEndsAt: string; link: string };
  'offboarding-notice': { name: string; tenantName: string; purgeAt: string; link: string };
  'offboarding-cancelled': { name: string; tenantName: string; link: string };
  'offboarding-certificate': {
    slug: string;
    purgedAt: string;
    rows: number;
    objects: number;
    hash: string;
    certificate: string;
  };
  dunning: {
    tenantName: string;
    headline: string;
    text: string;
    number: string;
    amountDue: string;
    dueOn: string;
    link: string;
  };
  invoice: {
    name: string;
    number: string;
    issuedOn: string;
    total: string;
    /** What of it is to be paid; null: nothing any more. */
    amountDue: string | null;
    dueOn: string;
    link: string;
  };
  'credit-note': {
    name: string;
    number: string;
    issuedOn: string;
    total: string;
    invoiceNumber: string;
    reason: string;
    /** Where the total went; null: nothing of it there. */
    credited: string | null;
    refunded: string | null;
    setOff: string | null;
    link: string;
  };
  'debit-notice': {
    name: string;
    number: string;
    amount: string;
    /** What the payer recognises their payment method by. */
    method: string;
    debitOn: string;
    link: string;
  };
  'payment-received': {
    name: string;
    amount: string;
    receivedOn: string;
    method: string;
    reference: string | null;
    /** Null: it has paid no invoice. */
    numbers: string | null;
    /** What is still due of these; null: nothing. */
    amountDue: string | null;
    /** What went to the credit balance; null: nothing. */
    credited: string | null;
    link: string;
  };
  'trial-ending': {
    name: string;
    tenantName: string;
    planName: string;
    price: string;
    endsOn: string;
    goesOn: boolean;
    link: string;
  };
  'recovery-codes-low': { name: string; link: string; left: number; usedAt: string };
};

export type EmailTemplate = keyof EmailVariables;
export type RenderedEmail = { subject: string; html: string; text: string };

type Compiled = { subject: Template[]; html: Template[]; text: Template[] };

const strict: LiquidOptions = {
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  memoryLimit: 10_000_000,
  renderLimit: 1_000,
};
const htmlEngine = new Liquid({ ...strict, outputEscape: 'escape' });
const textEngine = new Liquid({
  ...strict,
  outputEscape: (value: string | number | null) => oneLine(String(value ?? '')),
});

/** A value cannot start a line of its own, nor hide anything in characters that are not seen. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu, ' ');

const compiled = new Map<EmailTemplate, Promise<Compiled>>();

/**
 * Renders a mail. Values are text and nothing else: markup, template code and line breaks in them do no harm.
 * @throws Error when a variable is missing
 */
export async function renderEmail<Name extends EmailTemplate>(
  name: Name,
  variables: EmailVariables[Name],
): Promise<RenderedEmail> {
  const template = await compiledTemplate(name);
  const subject = String(await textEngine.render(template.subject, variables)).trim();
  const html = String(await htmlEngine.render(template.html, { ...variables, subject }));
  const text = String(await textEngine.render(template.text, variables)).trim();
  return { subject, html, text: `${text}\n` };
}

function compiledTemplate(name: EmailTemplate): Promise<Compiled> {
  const known = compiled.get(name);
  if (known) return known;
  const compiling = compile(name);
  compiled.set(name, compiling);
  // Not kept when it failed, so that a mended file counts.
  compiling.catch(() => compiled.delete(name));
  return compiling;
}

async function compile(name: EmailTemplate): Promise<Compiled> {
  const read = (file: string) => readFile(path.join(directory(), file), 'utf8');
  const [layout, content, plain] = await Promise.all([read('layout.mjml'), read(`${name}.mjml`), read(`${name}.txt`)]);
  const { subject, text } = partsOf(plain, `${name}.txt`);
  // Loaded with the first mail: it takes longer than all the rest of a start.
  const { default: mjml } = await import('mjml');
  const { html } = await mjml(layout.replace('<!-- content -->', content), {
    fonts: {},
    validationLevel: 'strict',
    ignoreIncludes: true,
    keepComments: false,
  });
  return { subject: textEngine.parse(subject), html: htmlEngine.parse(html), text: textEngine.parse(text) };
}

function partsOf(plain: string, file: string): { subject: string; text: string } {
  const parts = /^Subject: (.+)\n\n([\s\S]+)$/.exec(plain.replaceAll('\r\n', '\n'));
  if (!parts?.[1] || !parts[2]) throw new Error(`${file} must begin with "Subject: …" and an empty line`);
  return { subject: parts[1], text: parts[2] };
}

/** `src/templates/email` of the package, whether this runs from there or, bundled, from `dist/`. */
function directory(): string {
  let root = import.meta.dirname;
  while (!existsSync(path.join(root, 'package.json'))) {
    const parent = path.dirname(root);
    if (parent === root) throw new Error(`There is no package.json above ${import.meta.dirname}`);
    root = parent;
  }
  return path.join(root, 'src', 'templates', 'email');
}
