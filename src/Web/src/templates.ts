/** Rules to begin from: first the strategies of the catalogue, written as rules, then others of the documentation. */
export interface Template {
  name: string;
  title: string;
  text: string;
}

export const templates: readonly Template[] = [
  {
    name: 'averages', title: 'Moving average cross (sma-cross)', text: `# Always in the market, on the side of the faster average.
param fast = 20 from 5 to 50 step 5;
param slow = 50 from 20 to 200 step 10;
require fast < slow;
enter long when crosses_above(sma(fast), sma(slow));
enter short when crosses_below(sma(fast), sma(slow));
`,
  },
  {
    name: 'rsi', title: 'RSI mean reversion (rsi-reversion)', text: `# Back to the middle, from what moved too far.
param period = 14 from 2 to 50;
param lower = 30 from 10 to 45 step 5;
param upper = 70 from 55 to 90 step 5;
enter long when position == flat and rsi(period) < lower;
enter short when position == flat and rsi(period) > upper;
exit long when rsi(period) >= 50;
exit short when rsi(period) <= 50;
`,
  },
  {
    name: 'breakout', title: 'Channel breakout (donchian-breakout)', text: `# The channel holds the bar itself: the close is measured against the one before.
param entry = 20 from 10 to 60 step 5;
param leave = 10 from 5 to 30 step 5;
enter long when close > donchian.upper(entry)[1];
enter short when close < donchian.lower(entry)[1];
exit long when close < donchian.lower(leave)[1];
exit short when close > donchian.upper(leave)[1];
stop atr(20) * 2;
size risk 1%;
reentry after exit;
`,
  },
  {
    name: 'bands', title: 'Bollinger mean reversion (bollinger-reversion)',
    text: `# From a band back to the middle, only while nothing trends.
param width = 2 from 1 to 3 step 0.25;
let quiet = adx(14) < 25;
let middle = bollinger.middle(20, width);
enter long when quiet and close < bollinger.lower(20, width);
enter short when quiet and close > bollinger.upper(20, width);
exit long when close >= middle or bars_in_trade > 24;
exit short when close <= middle or bars_in_trade > 24;
stop atr(14) * 3;
size risk 0.5%;
`,
  },
  {
    name: 'trend', title: 'Trend with a trailing stop', text: `# The exit is what lets it enter again.
param multiple = 4 from 2 to 6 step 0.5;
enter long when close > ema(200) and crosses_above(macd.line, macd.signal);
exit when close < ema(200) or falling(ema(50), 5);
trail atr(14) * multiple;
size notional 25000;
`,
  },
  {
    name: 'dips', title: 'Dips in a rising market', text: `# Three closes down above the long average, and never for long.
param average = 200 from 100 to 300 step 25;
enter long when close > sma(average) and close < close[1] and close[1] < close[2] and close[2] < close[3];
exit when close > high[1] or time_in_trade >= 3d;
stop 2%;
size lots 0.2;
`,
  },
  {
    name: 'morning', title: 'Breakout of the London morning', text: `# Left before the day ends.
timezone Europe/London;
session 08:00-11:00 on weekdays;
let range = highest(high, 8)[1] - lowest(low, 8)[1];
enter long when close > highest(high, 8)[1] and range < atr(50) * 4;
enter short when close < lowest(low, 8)[1] and range < atr(50) * 4;
exit when time >= 20:00 or weekday == friday and time >= 18:00;
stop max(range, 100 points);
target 1%;
size equity 100%;
`,
  },
];
