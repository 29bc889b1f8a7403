import path from 'node:path';

/** The root of the repository. */
export const ROOT = path.resolve(import.meta.dirname, '..');

/** Where everything of a local installation lives unless DATA_DIR says otherwise. */
export const DEFAULT_DATA_DIR = path.join(ROOT, '.data');
