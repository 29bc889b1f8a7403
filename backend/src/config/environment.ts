import { z } from 'zod';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const secret = z.string().min(32, 'needs at least 32 characters; make one with: openssl rand -base64 32');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

/** Every variable that the backend reads: its type, default and meaning. `.env.example` is generated from here. */
export const variables = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production refuses missing secrets and local stand-ins'),
  ROLE: z
    .enum(['api', 'worker', 'all'])
    .default('all')
    .describe('What this process does: answer HTTP, run jobs, or both'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container'),
  PORT: integer(0, 65535).default(4000).describe('Port to listen on'),
  DATA_DIR: z
    .string()
    .default('.data')
    .describe('Folder for everything that is kept locally: database, mail outbox, logs'),
  PUBLIC_URL: z
    .url()
    .optional()
    .describe('Address under which people reach the portal; used in links in mails. Default: http://HOST:PORT'),

  DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'PostgreSQL 15+ as the role studyspot_app. Given a privileged role, the launcher migrates with it and derives the login of studyspot_app. Default: an embedded server',
    ),
  DATABASE_OWNER_URL: z
    .url()
    .optional()
    .describe('PostgreSQL as the owner of the tables; read by migrate and seed only'),
  DATABASE_POOL_SIZE: integer(2, 200).default(10).describe('Connections per process'),
  DATABASE_PREPARED_STATEMENTS: flag
    .default(true)
    .describe('false behind a transaction pooler that knows no prepared statements'),
  REDIS_URL: z
    .string()
    .optional()
    .describe(
      'Redis 7, redis:// or rediss://. Default: a local one; without any, jobs run on PostgreSQL and limits are kept in memory',
    ),

  JWT_SECRET: secret.optional().describe('Signs access tokens (HS256)'),
  JWT_SECRET_PREVIOUS: secret.optional().describe('Still accepted while a new JWT_SECRET is rolled out'),
  REFRESH_TOKEN_SECRET: secret.optional().describe('Derives refresh tokens; changing it signs everybody out'),
  ENCRYPTION_KEY: secret
    .optional()
    .describe('Seals secrets that are kept in the database: of authenticator apps, of settings, of streams'),
  ENCRYPTION_KEY_PREVIOUS: secret.optional().describe('Still opens what was sealed before ENCRYPTION_KEY was changed'),
  ACCESS_TOKEN_SECONDS: integer(10, 3600).default(900).describe('Life of an access token'),
  REFRESH_TOKEN_DAYS: integer(1, 90).default(30).describe('Life of a session without a refresh'),

  CORS_ORIGINS: list.default([]).describe('Comma-separated origins of browsers that may call the API'),
  TRUST_PROXY: list
    .default([])
    .describe('Comma-separated addresses or CIDRs of the proxies in front; none: X-Forwarded-For is ignored'),
  RATE_LIMIT_USER_PER_MINUTE: integer(1, 10_000_000).default(1200).describe('Requests a signed-in user may send'),
  RATE_LIMIT_IP_PER_MINUTE: integer(1, 10_000_000)
    .default(300)
    .describe('Requests without a valid token that an address may send'),

  COUNTRY_DATABASE: z
    .string()
    .optional()
    .describe(
      'File in the MaxMind format (.mmdb) that tells the country of an address, for the lists of sessions and sign-ins. Default: countries stay unknown',
    ),

  EMAIL_PROVIDER: z.enum(['local', 'smtp']).default('local').describe('local keeps mails as files in DATA_DIR/outbox'),
  EMAIL_FROM: z.string().default('StudySpot <no-reply@studyspot.example>').describe('Sender of mails'),
  SMTP_URL: z
    .string()
    .optional()
    .describe('smtp:// or smtps:// with user and password; needed with EMAIL_PROVIDER=smtp'),

  FILE_STORAGE: z
    .enum(['local', 's3'])
    .default('local')
    .describe('local keeps files in DATA_DIR/files; s3 in a bucket: AWS, R2, MinIO, Supabase and others'),
  S3_ENDPOINT: z.url().optional().describe('Address of the storage. Default: that of AWS in S3_REGION'),
  S3_REGION: z.string().default('auto').describe('Region of the bucket; auto for R2'),
  S3_BUCKET: z.string().optional().describe('Name of the bucket; needed with FILE_STORAGE=s3. Keep it private'),
  S3_ACCESS_KEY_ID: z.string().optional().describe('Needed with FILE_STORAGE=s3'),
  S3_SECRET_ACCESS_KEY: z.string().optional().describe('Needed with FILE_STORAGE=s3'),
  S3_FORCE_PATH_STYLE: flag
    .default(false)
    .describe('true where the bucket stands in the path and not in the host: MinIO, Supabase'),

  PAYMENT_GATEWAY: z
    .enum(['sandbox', 'razorpay'])
    .default('sandbox')
    .describe('sandbox plays a gateway in DATA_DIR/gateway and moves no money'),
  RAZORPAY_KEY_ID: z.string().optional().describe('Needed with PAYMENT_GATEWAY=razorpay'),
  RAZORPAY_KEY_SECRET: z.string().optional().describe('Needed with PAYMENT_GATEWAY=razorpay'),
  RAZORPAY_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('Of the webhook, as set at Razorpay; needed with PAYMENT_GATEWAY=razorpay'),
  RAZORPAY_WEBHOOK_SECRET_PREVIOUS: z
    .string()
    .optional()
    .describe('Still accepted: Razorpay signs what it sends again with the secret of its first try'),
  RAZORPAY_API_URL: z.url().default('https://api.razorpay.com').describe('Address of the API of Razorpay'),

  OUTBOUND_ALLOW_LOCAL: flag
    .default(false)
    .describe(
      'true lets addresses that users give lead to this machine, over http too: for tests and development alone',
    ),

  LOG_LEVEL: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('Lowest level that is logged'),
  JOB_LOCK_SECONDS: integer(2, 600)
    .default(30)
    .describe('After this long without a sign of life from its worker a job is given to another'),
} satisfies Record<string, z.ZodType>;

const schema = z.object(variables);

export type Environment = Omit<
  z.output<typeof schema>,
  'DATABASE_URL' | 'JWT_SECRET' | 'REFRESH_TOKEN_SECRET' | 'ENCRYPTION_KEY' | 'PUBLIC_URL'
> & {
  DATABASE_URL: string;
  JWT_SECRET: string;
  REFRESH_TOKEN_SECRET: string;
  ENCRYPTION_KEY: string;
  PUBLIC_URL: string;
};

const always = ['DATABASE_URL', 'JWT_SECRET', 'REFRESH_TOKEN_SECRET', 'ENCRYPTION_KEY'] as const;

/**
 * Reads and checks the environment. An empty variable counts as missing.
 * @throws Error that names every variable that is wrong and says what it should be
 */
export function readEnvironment(source: NodeJS.ProcessEnv): Environment {
  const given = Object.fromEntries(
    Object.keys(variables).flatMap((name) => (source[name] ? [[name, source[name]]] : [])),
  );
  const read = schema.safeParse(given);
  if (!read.success) {
    throw configurationError(read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const problems = [
    ...always.filter((name) => !read.data[name]).map((name) => `${name}: is missing (./studyspot up sets it locally)`),
    ...storageProblems(read.data),
    ...gatewayProblems(read.data),
    ...productionProblems(read.data),
  ];
  if (problems.length > 0) throw configurationError(problems);
  const { HOST, PORT } = read.data;
  const host = HOST === '0.0.0.0' ? 'localhost' : HOST;
  return { ...read.data, PUBLIC_URL: read.data.PUBLIC_URL ?? `http://${host}:${PORT}` } as Environment;
}

const bucketAccess = ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const;

function storageProblems(env: z.output<typeof schema>): string[] {
  if (env.FILE_STORAGE === 'local') return [];
  const missing = bucketAccess.filter((name) => !env[name]);
  return [
    ...missing.map((name) => `${name}: is missing, and FILE_STORAGE is s3`),
    ...(env.S3_REGION === 'auto' && !env.S3_ENDPOINT ? ['S3_REGION: is missing; without S3_ENDPOINT it is AWS'] : []),
  ];
}

const razorpayAccess = ['RAZORPAY_KEY_ID', 'RAZORPAY_KEY_SECRET', 'RAZORPAY_WEBHOOK_SECRET'] as const;

const gatewayProblems = (env: z.output<typeof schema>): string[] =>
  env.PAYMENT_GATEWAY === 'sandbox'
    ? []
    : razorpayAccess.filter((name) => !env[name]).map((name) => `${name}: is missing, and PAYMENT_GATEWAY is razorpay`);

function productionProblems(env: z.output<typeof schema>): string[] {
  if (env.EMAIL_PROVIDER === 'smtp' && !env.SMTP_URL) return ['SMTP_URL: is missing, and EMAIL_PROVIDER is smtp'];
  if (env.NODE_ENV !== 'production') return [];
  return [
    !env.PUBLIC_URL?.startsWith('https://') && 'PUBLIC_URL: must be the https:// address of the portal in production',
    env.EMAIL_PROVIDER === 'local' && 'EMAIL_PROVIDER: local keeps mails on this machine; use smtp in production',
    env.FILE_STORAGE === 'local' &&
      'FILE_STORAGE: local keeps files on this machine, where other processes do not find them; use s3 in production',
    env.PAYMENT_GATEWAY === 'sandbox' && 'PAYMENT_GATEWAY: sandbox moves no money; use razorpay in production',
    !env.RAZORPAY_API_URL.startsWith('https://') && 'RAZORPAY_API_URL: must begin with https:// in production',
    env.OUTBOUND_ALLOW_LOCAL && 'OUTBOUND_ALLOW_LOCAL: must not be true in production',
    !env.REDIS_URL && 'REDIS_URL: is missing; limits would count per process only',
    env.JWT_SECRET === env.REFRESH_TOKEN_SECRET && 'REFRESH_TOKEN_SECRET: must differ from JWT_SECRET',
    [env.JWT_SECRET, env.REFRESH_TOKEN_SECRET].includes(env.ENCRYPTION_KEY) &&
      'ENCRYPTION_KEY: must differ from JWT_SECRET and REFRESH_TOKEN_SECRET',
    env.DATABASE_URL &&
      env.DATABASE_URL === env.DATABASE_OWNER_URL &&
      'DATABASE_URL: must not be the owner of the tables',
  ].filter((problem) => typeof problem === 'string');
}

const configurationError = (problems: string[]) =>
  new Error(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);

/** The text of `.env.example`. */
export function environmentExample(): string {
  const lines = Object.entries(variables).map(([name, type]) => {
    const fallback = type instanceof z.ZodDefault ? defaultOf(type) : '';
    return `# ${type.description}\n#${name}=${fallback}\n`;
  });
  return `# Every variable the backend reads. All are optional on a laptop: ./studyspot up fills them in.\n# Copy to .env and remove the # of those you set. Generated from backend/src/config/environment.ts.\n\n${lines.join('\n')}`;
}

const defaultOf = (type: z.ZodDefault): string => {
  const value: unknown = type.def.defaultValue;
  return Array.isArray(value) ? value.join(',') : String(value);
};

let current: Environment | undefined;

/** The environment of this process, read once. */
export const environment = (): Environment => (current ??= readEnvironment(process.env));
