import { CreatorId, MediaId } from './ids.ts';
import type { Access } from './keys.ts';

/** The page of a media item that other sites may frame: docs/decisions/0701-embed.md. */

/** CloudFront's names of a signature: in a cookie, and in a query. */
export const SIGNATURE_NAMES = {
  'CloudFront-Policy': 'Policy',
  'CloudFront-Signature': 'Signature',
  'CloudFront-Key-Pair-Id': 'Key-Pair-Id',
} as const;

/** The three values of signed cookies as a query. */
export function signatureQuery(cookies: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(SIGNATURE_NAMES).map(([cookie, name]) => [name, cookies[cookie] ?? '']);
  return String(new URLSearchParams(Object.fromEntries(pairs)));
}

/** @param deliveryUrl without a slash at its end */
export function embedUrl(deliveryUrl: string, { creatorId, mediaId }: { creatorId: string; mediaId: string }): string {
  return `${deliveryUrl}/embed/${creatorId}/${mediaId}`;
}

/** Whose page an address is; null for any other address. */
export function parseEmbedUrl(url: string, deliveryUrl: string): { creatorId: string; mediaId: string } | null {
  if (!URL.canParse(url)) return null;
  const { origin, pathname } = new URL(url);
  const [, page, creatorId = '', mediaId = '', ...rest] = pathname.split('/');
  if (origin !== new URL(deliveryUrl).origin || page !== 'embed' || rest.length > 0) return null;
  return CreatorId.safeParse(creatorId).success && MediaId.safeParse(mediaId).success ? { creatorId, mediaId } : null;
}

/**
 * Which sites may frame the page, as sources of CSP's `frame-ancestors`; none when it is empty. A collection that does not say lets any
 * site frame what is public, and none what is private.
 */
export function framers(access: Access, embedOrigins: readonly string[] | null | undefined): readonly string[] {
  return embedOrigins ?? (access === 'public' ? ['*'] : []);
}

/** Pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Of a frame around sound, which has no picture: its controls and the waveform. */
const SOUND: Size = { width: 640, height: 200 };
/** Of a picture whose own is not known. */
const USUAL: Size = { width: 640, height: 360 };
/** The longer side of a frame that nobody has asked for in a size. */
const SIDE = 640;

/** The size of the frame: of the picture's shape, and within what is allowed. */
export function frameSize(
  kind: 'video' | 'audio' | undefined,
  renditions: readonly { width?: number | undefined; height?: number | undefined }[],
  { maxWidth = SIDE, maxHeight = SIDE } = {},
): Size {
  if (kind === 'audio') return { width: Math.min(SOUND.width, maxWidth), height: Math.min(SOUND.height, maxHeight) };
  const { width = USUAL.width, height = USUAL.height } = renditions.find((one) => one.width && one.height) ?? {};
  const scale = Math.min(maxWidth / width, maxHeight / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** The code to be put into a page. */
export function embedCode({ url, title, width, height }: { url: string; title: string } & Size): string {
  const src = escapeHtml(url);
  const allow = 'autoplay; fullscreen; picture-in-picture';
  return `<iframe src="${src}" width="${width}" height="${height}" title="${escapeHtml(title)}" style="border: 0" allow="${allow}" allowfullscreen></iframe>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it stands between tags or within quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? '');
}
