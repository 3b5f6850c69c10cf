internal import Configuration
internal import Inputs
internal import Learning
internal import TextData
internal import Wording

extension TaskData {
    /// Questions a label column with almost as many labels as rows: it is more likely an id or an amount.
    ///
    /// - Returns: lines for the user.
    /// - Throws: ``InputError`` if every row has its own class and the user did not choose classification.
    func doubts(_ given: TrainingConfiguration) throws(InputError) -> [String] {
        guard task == .classification, let labels, let rows = datasets[.train]?.count, rows >= 10,
            2 * labels.count > rows
        else { return [] }
        let question = "\(given.train): \(labels.count) different labels in \(rows) rows: is this the right column?"
        if labels.count == rows, given.task == nil {
            let areNumbers = labels.words.allSatisfy { Double($0) != nil }
            throw InputError(
                question + " Name another with --label-column, or give "
                    + (areNumbers ? "--task regression if these are amounts, or " : "")
                    + "--task classification if each is a class")
        }
        return ["\(question) --label-column names another"]
    }
}
