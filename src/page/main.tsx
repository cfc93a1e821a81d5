import { render } from 'preact';
import { App } from './app.js';
import { takeLogin } from './login.js';

/** The page of `quorate dashboard`. */
const login = takeLogin();

render(
  login === null ? (
    <main>
      <h1>Quorate</h1>
      <p>
        This page needs a login. In a terminal: <code>quorate dashboard</code>, and open the address that it prints.
      </p>
    </main>
  ) : (
    <App login={login} />
  ),
  document.getElementById('page') as HTMLElement,
);
