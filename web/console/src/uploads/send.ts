/** One PUT with its progress, which fetch does not tell. */

/** The storage answered, and refused. */
export class PutRefused extends Error {
  override readonly name = 'PutRefused';
  readonly status: number;

  constructor(status: number) {
    super(`The storage answered ${status}.`);
    this.status = status;
  }
}

/** No complete answer came: the line is cut, or the request was stopped. */
class PutBroken extends Error {
  override readonly name = 'PutBroken';
}

/**
 * @param onProgress bytes sent so far
 * @throws PutRefused, PutBroken
 */
export function put(
  { url, headers = {}, body }: { url: string; headers?: Readonly<Record<string, string>>; body: Blob },
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const broken = () => reject(new PutBroken('The connection was cut.'));
    request.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(new PutRefused(request.status)));
    request.onerror = broken;
    request.onabort = broken;
    request.onloadend = () => signal.removeEventListener('abort', stop);
    if (signal.aborted) return broken();
    signal.addEventListener('abort', stop);
    request.send(body);
  });
}
