import { spawn } from 'node:child_process';
import { findPdfToText } from '../../../launcher/poppler-packages.ts';

/**
 * The text of a PDF, laid out as on the page, with a form feed between pages. Read by Poppler's pdftotext, which
 * `./studyspot test` provides; where it cannot be had by an npm package, which lays the words out less faithfully.
 */
export function pdfText(pdf: Buffer): Promise<string> {
  const program = findPdfToText();
  return program ? textByPoppler(program, pdf) : pdfTextByPackage(pdf);
}

/** What pdfText falls back to. */
export async function pdfTextByPackage(pdf: Buffer): Promise<string> {
  const { extractText, getDocumentProxy } = await import('unpdf');
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(pdf)), { mergePages: false });
  return text.join('\f');
}

function textByPoppler({ file, env }: { file: string; env: NodeJS.ProcessEnv }, pdf: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, ['-layout', '-enc', 'UTF-8', '-', '-'], { env });
    const output: Buffer[] = [];
    let complaints = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      // A warning about the syntax of the file is as bad as a failure: what we write has to be right.
      if (code === 0 && !complaints.includes('Syntax '))
        resolve(Buffer.concat(output).toString('utf8').replace(/\f$/, ''));
      else reject(new Error(`pdftotext ended with ${code}: ${complaints.trim()}`));
    });
    // It may give up before it has read all of it.
    child.stdin.on('error', () => {});
    child.stdin.end(pdf);
  });
}
