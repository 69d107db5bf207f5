import { useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { Notice } from '../parts/notice.tsx';
import { type Media, STATE_NAMES } from '../parts/state-badge.tsx';
import { useUploadPlace, useUploads } from '../uploads/use-uploads.tsx';
import { useCollections } from '../use-collections.ts';
import { Card } from './card.tsx';
import { FirstUpload } from './first-upload.tsx';
import { useLibrary } from './use-library.ts';
import '../styles/library.css';

const TYPING_MS = 300;

export function Library() {
  const [search, setSearch] = useSearchParams();
  const filters = {
    q: search.get('q') ?? undefined,
    state: (search.get('state') as Media['state'] | null) ?? undefined,
    collectionId: search.get('collection') ?? undefined,
  };
  const { media, isPending, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useLibrary(filters);
  const isList = search.get('view') === 'list';
  const set = (name: string, value: string) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (value) after.set(name, value);
        else after.delete(name);
        return after;
      },
      { replace: true },
    );
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <>
      <h1 className="unseen">Library</h1>
      <Toolbar filters={filters} isList={isList} set={set} />
      {error && <Notice error={error} />}
      {isPending && <Placeholders />}
      {!isPending && media.length === 0 && !hasNextPage && (isFiltered ? <NothingFits /> : <FirstUpload />)}
      <ul className={isList ? 'cards list' : 'cards'}>
        {media.map((item) => (
          <Card key={item.id} media={item} />
        ))}
      </ul>
      {hasNextPage && <More busy={isFetchingNextPage} load={() => void fetchNextPage()} />}
    </>
  );
}

function NothingFits() {
  return (
    <p>
      Nothing fits these words and filters. <Link href="/">Show all</Link>
    </p>
  );
}

function Toolbar({
  filters,
  isList,
  set,
}: {
  filters: { q?: string | undefined; state?: string | undefined; collectionId?: string | undefined };
  isList: boolean;
  set: (name: string, value: string) => void;
}) {
  const collections = useCollections();
  const { choose, place } = useUploads();
  useUploadPlace(collections.find(({ id }) => id === filters.collectionId));
  return (
    <search className="toolbar">
      <Words given={filters.q ?? ''} set={(words) => set('q', words)} />
      <select aria-label="State" value={filters.state ?? ''} onChange={({ target }) => set('state', target.value)}>
        <option value="">All states</option>
        {STATE_NAMES.map(([state, name]) => (
          <option key={state} value={state}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Collection"
        value={filters.collectionId ?? ''}
        onChange={({ target }) => set('collection', target.value)}
      >
        <option value="">All collections</option>
        {collections.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
      <button type="button" aria-pressed={isList} onClick={() => set('view', isList ? '' : 'list')}>
        List
      </button>
      <button type="button" className="primary" onClick={() => choose()}>
        {place ? `Upload to ${place.title}` : 'Upload'}
      </button>
    </search>
  );
}

/** Asks when the typing pauses. */
function Words({ given, set }: { given: string; set: (words: string) => void }) {
  const [words, setWords] = useState(given);
  const latest = useRef(set);
  latest.current = set;
  useEffect(() => {
    if (words.trim() === given) return;
    const timer = setTimeout(() => latest.current(words.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [words, given]);
  return (
    <input
      type="search"
      placeholder="Search titles and tags"
      aria-label="Search titles and tags"
      maxLength={100}
      value={words}
      onChange={({ target }) => setWords(target.value)}
    />
  );
}

/** The next page, when the end of this one comes near. */
function More({ busy, load }: { busy: boolean; load: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !busy) latest.current();
      },
      { rootMargin: '600px' },
    );
    if (button.current) observer.observe(button.current);
    return () => observer.disconnect();
  }, [busy]);
  return (
    <button ref={button} type="button" className="more" disabled={busy} onClick={load}>
      {busy ? 'Loading…' : 'More'}
    </button>
  );
}

const PLACES = Array.from({ length: 12 }, (_, place) => place);

/** As high as what follows, so that nothing jumps. */
function Placeholders() {
  return (
    <ul className="cards" aria-hidden="true">
      {PLACES.map((place) => (
        <li key={place} className="card waiting">
          <div className="picture" />
          <div className="about">&nbsp;</div>
        </li>
      ))}
    </ul>
  );
}
