extension RandomAccessCollection {
    /// The index of the first element that `isBehind` holds for, where it holds for none before it and all after it; the end where it
    /// holds for none. O(log count).
    package func partitioningIndex(where isBehind: (Element) -> Bool) -> Index {
        var (low, length) = (startIndex, count)
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if isBehind(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}
