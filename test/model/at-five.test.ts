/** Every way that replacement among five controllers can go, with its faults. */
import { exploring } from './exploring.js';

exploring('at-five');
