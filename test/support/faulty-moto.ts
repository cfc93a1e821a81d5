import { FaultyProxy } from './faulty-proxy.js';
import { Moto } from './moto.js';

/** moto behind a proxy that does to each call what a test says. */
export class FaultyMoto {
  private constructor(
    readonly moto: Moto,
    readonly proxy: FaultyProxy,
  ) {}

  /** @param lateMs how late an answer is that is late */
  static async start(lateMs: number): Promise<FaultyMoto> {
    const moto = await Moto.start();
    try {
      return new FaultyMoto(moto, await FaultyProxy.start(moto.endpoint, lateMs));
    } catch (error) {
      await moto.stop();
      throw error;
    }
  }

  /** Nothing is in it, and nothing goes wrong. */
  async reset(): Promise<void> {
    await this.moto.reset();
    this.proxy.forget();
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.moto.stop();
  }
}
