import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useSession } from '../use-session.ts';
import { Uploads } from './uploads.ts';

const UploadsContext = createContext<{ uploads: Uploads; choose: () => void } | null>(null);

export function useUploads() {
  const context = useContext(UploadsContext);
  if (!context) throw new Error('no uploads');
  return context;
}

export function useUploadItems() {
  const { uploads } = useUploads();
  return useSyncExternalStore(uploads.subscribe, uploads.items);
}

/** The page's transfers, which go on from page to page. */
export function UploadsProvider({ children }: { children: ReactNode }) {
  const { client, me } = useSession();
  const queries = useQueryClient();
  const [uploads] = useState(() => new Uploads(client, me.creatorId));
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    let done = 0;
    return uploads.subscribe(() => {
      const now = uploads.items().filter(({ id, state }) => id && state !== 'sending').length;
      if (now !== done) void queries.invalidateQueries({ queryKey: ['newest'] });
      done = now;
    });
  }, [uploads, queries]);
  return (
    <UploadsContext value={{ uploads, choose: () => input.current?.click() }}>
      {children}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={({ target }) => {
          uploads.add([...(target.files ?? [])]);
          target.value = '';
        }}
      />
    </UploadsContext>
  );
}
