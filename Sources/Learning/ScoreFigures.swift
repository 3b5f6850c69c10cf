/// Figures over scores, as scikit-learn defines them.
package enum ScoreFigures {
    /// The area under the ROC curve, ties counted half; nil if all samples are positive, or none is.
    ///
    /// Source: Mann and Whitney 1947, by ranks; equal to sklearn's `roc_auc_score`.
    /// - Complexity: O(N log N).
    package static func areaUnderROC(_ scores: [Float], _ isPositive: [Bool]) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        let positives = isPositive.count { $0 }
        guard positives > 0, positives < scores.count else { return nil }
        var (rankSum, start) = (0.0, 0)
        while start < order.count {
            let end = Self.end(ofTiesFrom: start, order, scores)
            rankSum += Double(order[start..<end].count { isPositive[$0] }) * Double(start + end + 1) / 2
            start = end
        }
        let (positive, negative) = (Double(positives), Double(scores.count - positives))
        return (rankSum - positive * (positive + 1) / 2) / (positive * negative)
    }

    /// The mean of the precisions at each threshold, weighted by the recall gained; nil if no sample is positive.
    ///
    /// Equal to sklearn's `average_precision_score`.
    /// - Complexity: O(N log N).
    package static func averagePrecision(_ scores: [Float], _ isPositive: [Bool]) -> Double? {
        let positives = isPositive.count { $0 }
        guard positives > 0 else { return nil }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        var (sum, found, start) = (0.0, 0, 0)
        while start < order.count {
            let end = Self.end(ofTiesFrom: start, order, scores)
            let gained = order[start..<end].count { isPositive[$0] }
            found += gained
            sum += Double(gained) / Double(positives) * Double(found) / Double(end)
            start = end
        }
        return sum
    }

    /// One bar of a calibration curve.
    package struct CalibrationBin: Equatable, Sendable {
        package var samples = 0
        package var confidenceSum = 0.0
        package var correct = 0
    }

    /// Answers by their confidence, in bins of equal width that contain their upper end.
    package static func calibration(_ confidences: [Float], _ isRight: [Bool], bins count: Int = 15) -> [CalibrationBin]
    {
        var bins = [CalibrationBin](repeating: CalibrationBin(), count: count)
        for (confidence, isRight) in zip(confidences, isRight) {
            let bin = max(0, min(count - 1, Int((Double(confidence) * Double(count)).rounded(.up)) - 1))
            bins[bin].samples += 1
            bins[bin].confidenceSum += Double(confidence)
            if isRight { bins[bin].correct += 1 }
        }
        return bins
    }

    /// The distance of confidence from accuracy: the mean over the bins, weighted by their samples; nil without
    /// samples.
    ///
    /// Source: Guo et al. 2017, section 2; 15 bins.
    package static func calibrationError(_ bins: [CalibrationBin]) -> Double? {
        let samples = bins.reduce(0) { $0 + $1.samples }
        guard samples > 0 else { return nil }
        return bins.reduce(0.0) { $0 + abs(Double($1.correct) - $1.confidenceSum) } / Double(samples)
    }

    /// How many classes score above the right one; with equal scores the later class counts as above, as in sklearn's
    /// `top_k_accuracy_score`.
    package static func place(of truth: Int, in scores: some RandomAccessCollection<Float>) -> Int {
        let own = scores[scores.index(scores.startIndex, offsetBy: truth)]
        return zip(0..., scores).count { $1 > own || ($1 == own && $0 > truth) }
    }

    private static func end(ofTiesFrom start: Int, _ order: [Int], _ scores: [Float]) -> Int {
        var end = start + 1
        while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
        return end
    }
}
