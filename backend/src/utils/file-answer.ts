import type { Readable } from 'node:stream';
import { z } from 'zod';

/** A file as an answer: it is streamed as it is, without the envelope. */
export type FileAnswer = {
  content: Readable;
  /** What it is called when it is saved: plain characters alone. */
  name: string;
  type: string;
  sizeBytes: number;
};

const fileTypes = new WeakMap<z.ZodType, readonly string[]>();

/**
 * The answer of an endpoint that hands out a file, for `response`.
 * @param types the content types that it may have; any other is an error of ours
 */
export function fileOf(...types: [string, ...string[]]): z.ZodType<FileAnswer, FileAnswer> {
  const schema = z.custom<FileAnswer>((value) => {
    const { content, name, type } = (value ?? {}) as Partial<FileAnswer>;
    return Boolean(content) && /^[\w.-]+$/.test(name ?? '') && types.includes(type ?? '');
  });
  fileTypes.set(schema, types);
  return schema;
}

/** The content types of a schema that `fileOf` made. */
export const fileTypesOf = (schema: z.ZodType): readonly string[] | undefined => fileTypes.get(schema);
