/** The console: `/console/`. It keeps nothing: what it shows is the API's, and its tokens last as long as the page. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { App } from './app.tsx';
import { Notice } from './parts/notice.tsx';
import { NotLetIn, openSession } from './session.ts';
import { SessionContext } from './use-session.ts';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';

const root = createRoot(document.getElementById('root') ?? document.body);
const show = (page: ReactNode) => root.render(<StrictMode>{page}</StrictMode>);

const queries = new QueryClient({
  // The client tries again itself, and knows when that is useful.
  defaultOptions: { queries: { retry: false, staleTime: 5_000 }, mutations: { retry: false } },
});

try {
  const session = await openSession();
  if (session === 'elsewhere') {
    show(
      <main className="alone">
        <p>You are signed in again. The tab that asked for it goes on; this one can be closed.</p>
      </main>,
    );
  } else if (session !== 'leaving') {
    show(
      <SessionContext value={session}>
        <QueryClientProvider client={queries}>
          <Router base="/console">
            <App />
          </Router>
        </QueryClientProvider>
      </SessionContext>,
    );
  }
} catch (error) {
  show(
    <main className="alone">
      <Notice error={error} />
      <div className="row start">
        <a className="button" href="/console/">
          Start again
        </a>
        {error instanceof NotLetIn && (
          <button type="button" onClick={() => void error.signOut()}>
            Sign out
          </button>
        )}
      </div>
    </main>,
  );
}
