import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { contentDisposition } from '../utils/content-disposition.ts';
import { AppError } from '../utils/errors.ts';
import { assertFileKey, assertFolder, type FileStorage, type StoredObject } from './file-storage.provider.ts';

export type S3Options = {
  endpoint?: string | undefined;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`: MinIO, Supabase, Swift. */
  forcePathStyle: boolean;
  /** How long is waited, in milliseconds: for a connection, for an answer, and for more of one that has begun. */
  waits?: { connectMs: number; answerMs: number; stallMs: number };
};

const usualWaits = { connectMs: 5_000, answerMs: 30_000, stallMs: 60_000 };
/** What is sent as one: held in memory until it is there. The protocol asks for 5 MiB and at most 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/** Keeps files in a bucket of anything that speaks the protocol of S3. */
export function s3FileStorage(options: S3Options): FileStorage {
  const { bucket: Bucket, waits = usualWaits } = options;
  const client = clientFor(options, waits);
  return {
    async put(key, content) {
      assertFileKey(key);
      const source = counted(content);
      const upload = new Upload({
        client,
        params: { Bucket, Key: key, Body: Readable.from(source.pieces(), { objectMode: false }) },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
      });
      try {
        await upload.done();
        return { sizeBytes: source.sizeBytes() };
      } catch (error) {
        content.destroy();
        throw source.failure() ?? unavailable(error);
      }
    },
    async get(key) {
      assertFileKey(key);
      try {
        const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
        const content = Body as IncomingMessage;
        content.setTimeout(waits.stallMs, () => content.destroy(unavailable(new Error('The file stopped coming'))));
        return { content, sizeBytes: ContentLength };
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw unavailable(error);
      }
    },
    async delete(key) {
      assertFileKey(key);
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
      } catch (error) {
        if ((error as Error).name !== 'NoSuchKey') throw unavailable(error);
      }
    },
    list: (folder) => objectsBelow(client, Bucket, folder),
    async link(key, seconds, { name, type, inline }) {
      assertFileKey(key);
      const command = new GetObjectCommand({
        Bucket,
        Key: key,
        ResponseContentType: type,
        ResponseContentDisposition: contentDisposition(name, inline ? 'inline' : 'attachment'),
        ResponseCacheControl: 'private, no-store',
      });
      return getSignedUrl(client, command, { expiresIn: seconds });
    },
  };
}

async function* objectsBelow(client: S3Client, bucket: string, folder: string): AsyncGenerator<StoredObject> {
  assertFolder(folder);
  for (let after: string | undefined; ;) {
    const page = await client
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${folder}/`, ContinuationToken: after }))
      .catch((error: unknown) => Promise.reject(unavailable(error)));
    for (const { Key, Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
      if (Key) yield { key: Key, sizeBytes: Size, changedAt: LastModified };
    }
    after = page.NextContinuationToken;
    if (!after) return;
  }
}

const clientFor = (options: S3Options, waits: typeof usualWaits): S3Client =>
  new S3Client({
    ...(options.endpoint && { endpoint: options.endpoint }),
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    // Checksums that are not asked for are not understood by everybody who speaks this protocol.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: waits.connectMs,
      requestTimeout: waits.answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: waits.stallMs,
    },
  });

/** The pieces of a stream, counted; an error of theirs is told from one of the storage. */
function counted(content: Readable) {
  let bytes = 0;
  let failed: unknown;
  return {
    sizeBytes: () => bytes,
    failure: () => failed,
    async *pieces(): AsyncGenerator<Buffer> {
      try {
        for await (const piece of content) {
          const chunk = typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
          bytes += chunk.length;
          yield chunk;
        }
      } catch (error) {
        failed = error;
        throw error;
      }
    },
  };
}

const unavailable = (cause: unknown): AppError =>
  cause instanceof AppError
    ? cause
    : new AppError(
        'service_unavailable',
        'The storage of files does not answer. Try again in a moment.',
        { retryAfterSeconds: 10 },
        { cause },
      );
