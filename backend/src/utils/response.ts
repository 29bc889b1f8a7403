import type { AppError } from './errors.ts';

/** The envelope of the source design. */
export const successBody = (data: unknown, meta?: unknown) =>
  meta === undefined ? { success: true, data } : { success: true, data, meta };

export const errorBody = ({ message, code, statusCode, details }: AppError, requestId: string) => ({
  success: false,
  error: { message, code, statusCode, details, requestId },
});
