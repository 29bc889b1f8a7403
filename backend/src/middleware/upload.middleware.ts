import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import { UPLOAD_TIMEOUT_SECONDS } from '../config/constants.ts';
import { environment } from '../config/environment.ts';
import type { UploadRule } from '../routes/endpoint.ts';
import type { Upload } from '../types/upload.ts';
import { cutOffLater } from '../utils/cut-off.ts';
import { displayName } from '../utils/display-name.ts';
import { AppError, type FieldIssue } from '../utils/errors.ts';

export type Form = { fields: Record<string, string>; upload: Upload | undefined; issues: FieldIssue[] };

const MOST_FIELDS = 20;
const FIELD_BYTES = 16 * 1024;
/** All that is not the file: fields, headers of parts, boundaries. */
const AROUND_BYTES = 512 * 1024;
const LEFT_BEHIND_MS = 3_600_000;

const directory = (): string => path.resolve(environment().DATA_DIR, 'uploads');

/**
 * Reads `multipart/form-data`: the one file goes to disk as it comes, the fields are kept as text.
 * @returns what came, and what is wrong with it that names a field; then there is no upload
 * @throws AppError unsupported_media_type, payload_too_large (as soon as that is known), malformed_request,
 *   request_timeout
 */
export async function readForm(request: Request, rule: UploadRule): Promise<Form> {
  if (!request.is('multipart/form-data') || (request.get('content-encoding') ?? 'identity') !== 'identity') {
    const told = `Send the body as multipart/form-data, with the file in the field ${rule.field}, and not compressed.`;
    throw new AppError('unsupported_media_type', told);
  }
  if (Number(request.get('content-length')) > rule.maxBytes + AROUND_BYTES) {
    cutOffLater(request);
    throw tooLarge(rule);
  }
  await prepareDirectory();
  const form = new FormReader(request, rule);
  try {
    return await form.read();
  } catch (error) {
    cutOffLater(request);
    throw error;
  }
}

/** Removes the file, if there is one. It never fails: what is left behind is swept later. */
export async function removeUpload(upload: Upload | undefined): Promise<void> {
  if (upload) await rm(upload.path, { force: true }).catch(() => {});
}

/**
 * Removes what a process left behind when it was killed. At the start, and now and then.
 * @returns how many files
 */
export async function removeLeftBehind(now = Date.now()): Promise<number> {
  lastSweep = now;
  let removed = 0;
  const names = await readdir(directory()).catch(() => []);
  for (const name of names) {
    const file = path.join(directory(), name);
    const found = await stat(file).catch(() => undefined);
    if (!found || now - found.mtimeMs < LEFT_BEHIND_MS) continue;
    await rm(file, { force: true });
    removed += 1;
  }
  return removed;
}

let lastSweep = 0;

async function prepareDirectory(): Promise<void> {
  await mkdir(directory(), { recursive: true, mode: 0o700 });
  if (Date.now() - lastSweep > LEFT_BEHIND_MS) await removeLeftBehind();
}

class FormReader {
  readonly #request: Request;
  readonly #rule: UploadRule;
  readonly #fields = new Map<string, string>();
  readonly #issues: FieldIssue[] = [];
  #content: Readable | undefined;
  #saving: Promise<Upload> | undefined;

  constructor(request: Request, rule: UploadRule) {
    this.#request = request;
    this.#rule = rule;
  }

  async read(): Promise<Form> {
    try {
      await this.#receive();
      const upload = await this.#saving;
      if (!upload) this.#complain(this.#rule.field, 'is missing: it must be a file');
      const kept = this.#issues.length === 0;
      if (!kept) await removeUpload(upload);
      return {
        fields: Object.fromEntries(this.#fields),
        upload: kept ? upload : undefined,
        issues: this.#issues,
      };
    } catch (error) {
      // Ends the writing, which removes what it wrote.
      this.#content?.destroy();
      await this.#saving?.then(removeUpload, () => {});
      throw error;
    }
  }

  async #receive(): Promise<void> {
    const request = this.#request;
    const parser = parserFor(request, this.#rule);
    let count: (chunk: Buffer) => void = () => {};
    let leave = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let bytes = 0;
        count = (chunk) => {
          bytes += chunk.length;
          if (bytes > this.#rule.maxBytes + AROUND_BYTES) reject(tooLarge(this.#rule));
        };
        // It is also closed when all of it has come.
        leave = () => {
          if (!request.complete) reject(new AppError('malformed_request', 'The body ended before it was whole.'));
        };
        timer = setTimeout(() => reject(tooSlow()), UPLOAD_TIMEOUT_SECONDS * 1000);
        parser.on('file', (field, content, name) => this.#takeFile({ field, content, name }, reject));
        parser.on('field', (field, value, _nameCut, cut) => this.#takeField(field, value, cut));
        parser.on('fieldsLimit', () => reject(tooMany()));
        parser.on('filesLimit', () => reject(secondFile(this.#rule)));
        parser.on('error', (error) => reject(unreadable(error)));
        parser.on('finish', resolve);
        request.on('data', count).once('close', leave).pipe(parser);
      });
    } finally {
      clearTimeout(timer);
      request.off('data', count).off('close', leave).unpipe(parser);
    }
  }

  #takeFile(
    { field, content, name }: { field: string | undefined; content: Readable; name: string | undefined },
    reject: (error: unknown) => void,
  ): void {
    this.#content = content;
    content.on('error', (error) => reject(unreadable(error)));
    if (field !== this.#rule.field) {
      reject(wrongField(field ?? '', field ? 'is not known here, or takes no file' : 'has no name'));
      return;
    }
    content.once('limit', () => reject(tooLarge(this.#rule)));
    this.#saving = save(content, displayName(name ?? ''));
    this.#saving.catch((error: unknown) => reject(storageError(error)));
  }

  #takeField(name: string | undefined, value: string, cut: boolean): void {
    const field = name ?? '';
    if (field === this.#rule.field) this.#complain(field, 'must be a file');
    else if (this.#fields.has(field)) this.#complain(field, 'is given twice');
    else if (cut) this.#complain(field, `must have at most ${FIELD_BYTES} bytes`);
    else this.#fields.set(field, value);
  }

  #complain(field: string, message: string): void {
    this.#issues.push({ in: 'body', field: field.slice(0, 100), message });
  }
}

function parserFor(request: Request, rule: UploadRule): BusboyInstance {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: MOST_FIELDS,
        fieldSize: FIELD_BYTES,
        files: 1,
        fileSize: rule.maxBytes,
        headerPairs: 20,
        headerSize: 4096,
      },
      // Whatever comes in the field of the file is one, also without a name of its own.
      isPartAFile: (field, type, name) =>
        name !== undefined || (field === rule.field && type !== undefined && type !== 'text/plain'),
    });
  } catch (error) {
    throw unreadable(error);
  }
}

async function save(content: Readable, name: string): Promise<Upload> {
  const file = path.join(directory(), `${randomBytes(16).toString('hex')}.upload`);
  const handle = await open(file, 'wx', 0o600);
  const hash = createHash('sha256');
  try {
    const written = handle.createWriteStream();
    const hashed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of pieces) {
        hash.update(piece);
        yield piece;
      }
    };
    await pipeline(content, hashed, written);
    return { path: file, name, sizeBytes: written.bytesWritten, sha256: hash.digest('hex') };
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(file, { force: true });
    throw error;
  }
}

const tooLarge = ({ maxBytes }: UploadRule): AppError =>
  new AppError('payload_too_large', `The file is larger than ${sizeText(maxBytes)}. Send a smaller one.`);

const sizeText = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${Math.floor(bytes / 1024 / 1024)} MiB` : `${Math.floor(bytes / 1024)} KiB`;

const tooSlow = (): AppError =>
  new AppError('request_timeout', 'The file took too long to arrive. Send it again, over a faster connection.');

const tooMany = (): AppError => new AppError('payload_too_large', `A form has at most ${MOST_FIELDS} fields.`);

const secondFile = ({ field }: UploadRule): AppError => wrongField(field, 'must be one file, not several');

const wrongField = (name: string, message: string): AppError => {
  const field = name.slice(0, 100);
  return new AppError('validation_failed', `The body is not valid: ${field} ${message}`, {
    issues: [{ in: 'body', field, message }],
  });
};

const unreadable = (error: unknown): AppError =>
  error instanceof AppError
    ? error
    : new AppError('malformed_request', 'The body is not valid multipart/form-data.', undefined, { cause: error });

/** A disk that is full is nobody's fault, and over soon. */
function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EMFILE') return error;
  const told = 'There is no room for the file right now. Send it again later.';
  return new AppError('service_unavailable', told, { retryAfterSeconds: 60 }, { cause: error });
}
