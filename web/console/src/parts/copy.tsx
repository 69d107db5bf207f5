import { useState } from 'react';

const SHOWN_MS = 1500;

/** An address or a line of code, to be copied. */
export function Copy({ name, text }: { name: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <div className="copy">
      <span className="label">{name}</span>
      <code>{text}</code>
      <button type="button" aria-label={`Copy ${name}`} onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}
