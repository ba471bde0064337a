import './style.css';
import { addRunners } from './live.js';
import { addMenu } from './menu.js';
import { addTables } from './scrolling.js';
import { addSearch } from './search.js';

/** Where the site begins, seen from this page. */
const { root = './' } = document.querySelector<HTMLElement>('script[data-root]')?.dataset ?? {};

addMenu();
addSearch(root);
addRunners(root);
addTables();
