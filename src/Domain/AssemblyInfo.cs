using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("HybridTrading.Domain.Tests")]
