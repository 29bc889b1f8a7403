import type { Readable } from 'node:stream';
import { z } from 'zod';

/** A file as an answer: it is streamed as it is, without the envelope. */
export type FileAnswer = {
  content: Readable;
  /** What it is called when it is saved: in any script, without control characters. */
  name: string;
  type: string;
  /** Shown by the browser instead of saved: for images that we encoded ourselves alone, see `INLINE_TYPES`. */
  inline?: boolean | undefined;
  /** Left out where it is not known before the last byte. */
  sizeBytes?: number;
};

/** What a browser may show of files: nothing in these can run. */
export const INLINE_TYPES: readonly string[] = ['image/png', 'image/webp'];

const fileTypes = new WeakMap<z.ZodType, readonly string[]>();

/**
 * The answer of an endpoint that hands out a file, for `response`.
 * @param types the content types that it may have; any other is an error of ours
 */
export function fileOf(...types: [string, ...string[]]): z.ZodType<FileAnswer, FileAnswer> {
  const schema = z.custom<FileAnswer>((value) => {
    const { content, name, type } = (value ?? {}) as Partial<FileAnswer>;
    return Boolean(content) && /^\P{C}{1,255}$/u.test(name ?? '') && types.includes(type ?? '');
  });
  fileTypes.set(schema, types);
  return schema;
}

/** The content types of a schema that `fileOf` made. */
export const fileTypesOf = (schema: z.ZodType): readonly string[] | undefined => fileTypes.get(schema);
