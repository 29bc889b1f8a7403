import { z } from 'zod';
import { demoSeller } from './demo-seller.ts';
import { email, pincode, text } from '../utils/fields.ts';
import { isValidGstin } from '../utils/gstin.ts';
import type { Environment } from './environment.ts';

export type SettingValue = boolean | number | string;

export type SettingDefinition<Value = SettingValue, Default = Value | null> = {
  group: string;
  /** Whose it is: the platform's, each tenant's own, or the platform's where a tenant has set none. */
  scope: 'platform' | 'tenant' | 'both';
  type: z.ZodType<Value>;
  /** What holds when nobody has set it; null: nothing. */
  default: Default;
  description: string;
  example: Value;
  /** Kept sealed, and never shown again. */
  secret?: true;
  /** What `POST /settings/:key/test` tries with it. */
  probe?: 'smtp';
  /** What holds before the default, where the configuration of the process says it. */
  environment?: (environment: Environment) => Value | undefined;
  /** Who holds this could read the mails of anybody, and with them let themselves in as anybody. */
  carriesEverybodysMail?: true;
  /** The tenant's consent: only its own people give and withdraw it. */
  consent?: true;
};

const define = <Value extends SettingValue, Default extends Value | null>(
  definition: SettingDefinition<Value, Default>,
): SettingDefinition<Value, Default> => definition;

const whole = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.number(message).int(message).min(least, message).max(most, message);
};
const yesOrNo = z.boolean('must be true or false');
/** Numbers have 16 characters at most, the fiscal year and the serial among them (rule 17). */
const seriesPrefix = text(4).regex(/^[A-Z][A-Z0-9]*$/, 'must be capital letters and digits, at most four');

/** A mail server's address and nothing more: whatever follows it would be options of the mail library. */
function isMailServer(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(address);
  if (!['smtp:', 'smtps:'].includes(protocol) || !hostname) return false;
  return ['', '/'].includes(pathname) && search === '' && hash === '';
}

/**
 * Every setting that the code reads: what it may be, and what it is when nobody has set it. One that nothing reads
 * does not belong here.
 */
export const SETTINGS = {
  'tenants.trial_days': define({
    group: 'Tenants',
    scope: 'platform',
    type: whole(0, 90),
    default: 14,
    description: 'Days of trial that a new tenant gets',
    example: 30,
  }),
  'tenants.offboarding_grace_days': define({
    group: 'Tenants',
    scope: 'platform',
    type: whole(30, 365),
    default: 30,
    description: 'Days between the beginning of an off-boarding and the removal of the data',
    example: 60,
  }),
  'privacy.response_days': define({
    group: 'Tenants',
    scope: 'platform',
    type: whole(1, 90),
    default: 30,
    description: 'Days within which a request about personal data is to be answered (DPDP Act 2023)',
    example: 30,
  }),
  'support.access_allowed': define({
    group: 'Support',
    scope: 'tenant',
    type: yesOrNo,
    default: true,
    description: "Whether portal admins may act in the name of the tenant's people; its own people decide",
    example: false,
    consent: true,
  }),
  'billing.seller_name': define({
    group: 'Billing',
    scope: 'platform',
    type: text(200, 2),
    default: null,
    description: 'Legal name of the company on its invoices; nothing is invoiced without',
    example: 'StudySpot Technologies Private Limited',
    environment: demoSeller('name'),
  }),
  'billing.seller_gstin': define({
    group: 'Billing',
    scope: 'platform',
    type: text(15).refine(isValidGstin, 'must be a GSTIN: 15 characters with a right check character'),
    default: null,
    description: 'GSTIN of the company: its first two digits are the state that it supplies from',
    example: '27AAPFU0939F1ZV',
    environment: demoSeller('gstin'),
  }),
  'billing.seller_address': define({
    group: 'Billing',
    scope: 'platform',
    type: text(300, 2),
    default: null,
    description: 'Street and area of the company',
    example: '4th Floor, Sahyadri House, Baner Road',
    environment: demoSeller('addressLine'),
  }),
  'billing.seller_city': define({
    group: 'Billing',
    scope: 'platform',
    type: text(100, 2),
    default: null,
    description: 'City of the company',
    example: 'Pune',
    environment: demoSeller('city'),
  }),
  'billing.seller_pincode': define({
    group: 'Billing',
    scope: 'platform',
    type: pincode,
    default: null,
    description: 'Postal code of the company',
    example: '411045',
    environment: demoSeller('pincode'),
  }),
  'billing.seller_email': define({
    group: 'Billing',
    scope: 'platform',
    type: email,
    default: null,
    description: 'Where questions about invoices go',
    example: 'billing@studyspot.example',
    environment: demoSeller('email'),
  }),
  'billing.upi_vpa': define({
    group: 'Billing',
    scope: 'platform',
    type: text(100).regex(
      /^[\w.-]{2,64}@[a-zA-Z][\w.-]{1,32}$/,
      'must be a UPI address, such as studyspot@examplebank',
    ),
    default: null,
    description: 'UPI address that the QR code of an invoice pays to; without it there is none',
    example: 'studyspot@examplebank',
    environment: demoSeller('vpa'),
  }),
  'billing.bank_account': define({
    group: 'Billing',
    scope: 'platform',
    type: text(34, 6).regex(/^\d+$/, 'must be digits'),
    default: null,
    description: 'Number of the bank account that invoices name for transfers',
    example: '50200012345678',
  }),
  'billing.bank_ifsc': define({
    group: 'Billing',
    scope: 'platform',
    type: text(11).regex(/^[A-Z]{4}0[A-Z0-9]{6}$/, 'must be an IFSC, such as HDFC0000123'),
    default: null,
    description: 'IFSC of that account',
    example: 'HDFC0000123',
  }),
  'billing.bank_name': define({
    group: 'Billing',
    scope: 'platform',
    type: text(100, 2),
    default: null,
    description: 'Bank and branch of that account',
    example: 'HDFC Bank, Baner',
  }),
  'billing.invoice_prefix': define({
    group: 'Billing',
    scope: 'platform',
    type: seriesPrefix,
    default: 'SS',
    description: 'What numbers of invoices begin with; another one begins a new series',
    example: 'SS',
  }),
  'billing.credit_note_prefix': define({
    group: 'Billing',
    scope: 'platform',
    type: seriesPrefix,
    default: 'SSCN',
    description: 'What numbers of credit notes begin with; another one begins a new series',
    example: 'SSCN',
  }),
  'billing.due_days': define({
    group: 'Billing',
    scope: 'platform',
    type: whole(0, 90),
    default: 7,
    description: 'Days after its issue on which an invoice is due',
    example: 15,
  }),
  'billing.default_sac': define({
    group: 'Billing',
    scope: 'platform',
    type: text(6, 4).regex(/^99\d{2,4}$/, 'must be a service accounting code, such as 997331'),
    default: '997331',
    description: 'Service accounting code of lines that name none',
    example: '997331',
  }),
  'billing.invoice_terms': define({
    group: 'Billing',
    scope: 'platform',
    type: text(1000),
    default: null,
    description: 'What stands at the foot of invoices',
    example: 'Interest of 18 % a year is charged on what is overdue.',
  }),
  'audit.retention_months': define({
    group: 'Audit',
    scope: 'platform',
    type: whole(12, 120),
    default: 36,
    description: 'Full months that the audit trail is kept; what is older is dropped by whole months',
    example: 60,
  }),
  'email.from_name': define({
    group: 'Email',
    scope: 'both',
    type: text(80).regex(/^[^\r\n\t"\\<>]*$/, 'must be one line without quotes, backslashes and angle brackets'),
    default: null,
    description: 'The name that mails come from; without it that of EMAIL_FROM',
    example: 'Saraswati Reading Hall',
    environment: ({ EMAIL_FROM }) => /^\s*"?([^"<]+?)"?\s*</.exec(EMAIL_FROM)?.[1],
  }),
  'email.reply_to': define({
    group: 'Email',
    scope: 'both',
    type: email,
    default: null,
    description: 'Where answers to mails go; without it to the sender',
    example: 'help@saraswati-library.example',
  }),
  'email.smtp_url': define({
    group: 'Email',
    scope: 'platform',
    type: text(500).refine(isMailServer, 'must be smtp:// or smtps:// with user, password, host and port alone'),
    default: null,
    description:
      'The mail server, with EMAIL_PROVIDER=smtp; goes before SMTP_URL, and holds within ten seconds of a change',
    example: 'smtps://mailer:secret@mail.example.com:465',
    secret: true,
    probe: 'smtp',
    environment: ({ SMTP_URL }) => SMTP_URL,
    carriesEverybodysMail: true,
  }),
};

export type SettingKey = keyof typeof SETTINGS;

/** What a setting is when it is read: null only where there may be none. */
export type ValueOf<Key extends SettingKey> =
  z.output<(typeof SETTINGS)[Key]['type']> | (null extends (typeof SETTINGS)[Key]['default'] ? null : never);

export const settingKeys = Object.keys(SETTINGS) as SettingKey[];

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key);

/** The definition of a setting, whichever it is. */
export const settingDefinition = (key: SettingKey): SettingDefinition => SETTINGS[key];

/** The keys that a tenant, or the platform, can have a value of. */
export const settingKeysOf = (owner: 'platform' | 'tenant'): SettingKey[] =>
  settingKeys.filter((key) => ['both', owner].includes(settingDefinition(key).scope));
