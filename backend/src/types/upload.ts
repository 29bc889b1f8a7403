/** A file that came with a request. It lies on disk until the request is answered, and is removed then. */
export type Upload = {
  path: string;
  /** What the sender calls it, for people to read: never a part of a path. */
  name: string;
  sizeBytes: number;
  /** Of its content, hex. */
  sha256: string;
};
