export type Answer = {
  status: number;
  headers: Headers;
  /** The envelope, parsed; null without a body. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  body: any;
  text: string;
};

/** A file of a form. */
export type FormFile = { name: string; content: string | Uint8Array; type?: string };

export type CallOptions = {
  token?: string;
  body?: unknown;
  /** Sent as `multipart/form-data`: texts, and files. */
  form?: Record<string, string | FormFile>;
  rawBody?: string;
  headers?: Record<string, string>;
};

/** Calls an API as any program would, over HTTP. */
export const clientOf =
  (url: string) =>
  async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const { token, body, form, rawBody, headers } = options;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body !== undefined || rawBody !== undefined ? { 'content-type': 'application/json' } : {}),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: form ? formOf(form) : (rawBody ?? (body === undefined ? undefined : JSON.stringify(body))),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  };

function formOf(fields: Record<string, string | FormFile>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([Buffer.from(value.content)], { type: value.type ?? '' }), value.name);
  }
  return form;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
