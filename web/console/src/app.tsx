import { useEffect, useSyncExternalStore } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { Library } from './library/library.tsx';
import { Boundary } from './parts/boundary.tsx';
import { later } from './parts/later.tsx';
import { Toasts } from './parts/toasts.tsx';
import { DropZone } from './uploads/drop-zone.tsx';
import { UploadPanel } from './uploads/upload-panel.tsx';
import { UploadsProvider } from './uploads/use-uploads.tsx';
import { useSession } from './use-session.ts';

const MediaPage = later(() => import('./media/media-page.tsx'));
const Collections = later(() => import('./collections/collections.tsx'));
const Presets = later(() => import('./presets/presets.tsx'));
const Operations = later(() => import('./operations/operations.tsx'));

export function App() {
  const { me } = useSession();
  const [path] = useLocation();
  return (
    <UploadsProvider>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <SignedOutNotice />
      <DropZone />
      <main id="main" tabIndex={-1}>
        <Boundary place={path}>
          <Switch>
            <Route path="/" component={Library} />
            <Route path="/media/:id">{({ id }) => <MediaPage key={id} id={id} />}</Route>
            <Route path="/collections/:id?" component={Collections} />
            <Route path="/presets/:name?" component={Presets} />
            {me.operator && <Route path="/operations" component={Operations} />}
            <Route>
              <p>
                There is no such page. <Link href="/">Go to the library</Link>
              </p>
            </Route>
          </Switch>
        </Boundary>
      </main>
      <UploadPanel />
      <Toasts />
    </UploadsProvider>
  );
}

/** Requests wait meanwhile, and so do uploads. */
function SignedOutNotice() {
  const { signIn } = useSession();
  const signedOut = useSyncExternalStore(signIn.subscribe, signIn.signedOut);
  if (!signedOut) return null;
  return (
    <section className="notice warn row start" role="alert">
      <span>
        {signedOut.isOther
          ? 'Somebody else is signed in now. This page goes on when you sign in as before.'
          : 'You are signed out. This page and its uploads go on when you are signed in again.'}
      </span>
      <a className="button" href={signedOut.url} target="_blank" rel="noopener">
        Sign in again
      </a>
    </section>
  );
}

const PAGES: readonly (readonly [path: string, name: string])[] = [
  ['/', 'Library'],
  ['/collections', 'Collections'],
  ['/presets', 'Presets'],
];

function Header() {
  const { me, signIn } = useSession();
  const [path] = useLocation();
  const pages = me.operator ? [...PAGES, ['/operations', 'Operations'] as const] : PAGES;
  const here = pages.find(([page]) =>
    page === '/' ? path === '/' || path.startsWith('/media') : path.startsWith(page),
  );
  useEffect(() => {
    document.title = here ? `${here[1]} · dropreel` : 'dropreel';
  }, [here]);
  return (
    <header className="top">
      <Link href="/" className="brand">
        <img src="/console/icon.svg" alt="" width="24" height="24" />
        dropreel
      </Link>
      <nav aria-label="Pages">
        {pages.map(([page, name]) => (
          <Link key={page} href={page} aria-current={here?.[0] === page ? 'page' : undefined}>
            {name}
          </Link>
        ))}
      </nav>
      <div className="who">
        <span className="name">{me.creatorId}</span>
        <button type="button" className="quiet" onClick={() => void signIn.close()}>
          Sign out
        </button>
      </div>
    </header>
  );
}
