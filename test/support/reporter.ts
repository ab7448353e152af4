import Mocha from 'mocha';

/** Mocha's own report, and then one line for .ci/run: `N passed, N failed`. A skipped test counts as failed. */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes = 0, failures = 0, pending = 0 } = this.stats;
    console.log(`${passes} passed, ${failures + pending} failed`);
  }
}
